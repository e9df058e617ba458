"""Every write of the agents app: one function, one short transaction, safe to run twice."""
