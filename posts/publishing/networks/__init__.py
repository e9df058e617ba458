"""The outside networks: one file each, one table. A new network is a file and a line here."""

from functools import cache

from django.utils.module_loading import import_string

from posts.publishing.networks.base import Network

NETWORKS = {
    "bluesky": "posts.publishing.networks.bluesky.Bluesky",
    "facebook": "posts.publishing.networks.facebook.Facebook",
    "instagram": "posts.publishing.networks.instagram.Instagram",
    "linkedin": "posts.publishing.networks.linkedin.LinkedIn",
    "mastodon": "posts.publishing.networks.mastodon.Mastodon",
    "webhook": "posts.publishing.networks.webhook.Webhook",
    "x": "posts.publishing.networks.x.X",
}


@cache
def network_named(name: str) -> Network:
    """Return the network of that name.

    Raises `KeyError` for a name that is not in the table.
    """
    network: Network = import_string(NETWORKS[name])()
    return network
