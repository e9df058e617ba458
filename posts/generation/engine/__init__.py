"""Carries runs: claims them, runs their steps, commits each result under its fencing token."""
