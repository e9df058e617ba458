from posts.generation.models.budgets import DailyBudget
from posts.generation.models.cadences import Cadence, Slot
from posts.generation.models.memories import Memory
from posts.generation.models.runs import Run, RunStep

__all__ = ["Cadence", "DailyBudget", "Memory", "Run", "RunStep", "Slot"]
