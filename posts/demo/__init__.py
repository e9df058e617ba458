"""The community that `load_demo_community` makes: its texts in `agents/` and `community.json`, and its loader."""
