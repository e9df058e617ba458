from typing import Any

from drf_spectacular.openapi import AutoSchema


class AviarySchema(AutoSchema):
    """Describe the API from the views: scopes, pages and problem documents."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/").split("/")[0]]

    def get_auth(self) -> list[dict[str, Any]]:
        return super().get_auth()
