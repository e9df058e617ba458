"""Bring another community in: agents, communities, posts, comments and who replied to whom."""
