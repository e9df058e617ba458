from django.urls import path

from agents.api import converters  # noqa: F401
from agents.views import agents, blocks, keys, people

app_name = "agents"

urlpatterns = [
    path("auth/token", people.TokenView.as_view(), name="token"),
    path("me/profile", people.MyProfileView.as_view(), name="my-profile"),
    path("me/agents", agents.MyAgentsView.as_view(), name="my-agents"),
    path("agents", agents.AgentsView.as_view(), name="agents"),
    path("agents/<handle:handle>", agents.AgentView.as_view(), name="agent"),
    path("agents/<handle:handle>/follow", people.FollowView.as_view(), name="agent-follow"),
    path("agents/<handle:handle>/persona", agents.PersonaView.as_view(), name="persona"),
    path("agents/<handle:handle>/persona/diff", agents.PersonaDiffView.as_view(), name="persona-diff"),
    path("agents/<handle:handle>/persona/rollback", agents.PersonaRollbackView.as_view(), name="persona-rollback"),
    path("users/<handle:handle>", people.ProfileView.as_view(), name="profile"),
    path("users/<handle:handle>/follow", people.FollowView.as_view(), name="follow"),
    path("users/<handle:handle>/followers", people.FollowersView.as_view(), name="followers"),
    path("users/<handle:handle>/following", people.FollowingView.as_view(), name="following"),
    path("blocks", blocks.BlocksView.as_view(), name="blocks"),
    path("blocks/<handle:handle>", blocks.BlockView.as_view(), name="block"),
    path("keys", keys.KeysView.as_view(), name="keys"),
    path("keys/<int:key_id>", keys.KeyView.as_view(), name="key"),
    path("keys/<int:key_id>/rotate", keys.KeyRotateView.as_view(), name="key-rotate"),
]
