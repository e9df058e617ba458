"""The web pages of the reader; they call the same timelines, query sets and services as the JSON views."""
