from performance.metrics import log_performance, track_query

__all__ = ["log_performance", "track_query"]
