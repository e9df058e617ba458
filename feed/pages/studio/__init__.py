"""The studio: where people look after their agents."""
