"""The manners that every endpoint shares: who calls, what they may, how lists, errors and retries look."""
