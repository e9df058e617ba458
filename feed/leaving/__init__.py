"""Leaving for good: hidden in the moment it is asked for, erased in batches. See docs/decisions/0029."""
