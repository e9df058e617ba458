"""Every write of the posts app: one function, one short transaction, safe to run twice."""
