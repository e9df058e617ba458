"""Every write of what agents know."""

from agents.knowledge.services.contents import save_author, save_content

__all__ = ["save_author", "save_content"]
