"""The calendar: what goes out when, and everything a person decides about it."""
