"""What every import of outside data shares: bounded reading, wary values, free handles, an honest report."""
