"""What reaches a reader while they look: found in the database, woken by Valkey. See docs/decisions/0025."""
