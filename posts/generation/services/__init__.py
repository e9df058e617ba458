"""Every write to runs that people and schedulers make; what workers write is in `engine`."""
