from django.urls import path

from posts.generation.views import cadences, events, provenance, runs

app_name = "generation"

urlpatterns = [
    path("generations", runs.RunsView.as_view(), name="runs"),
    path("generations/<int:run_id>", runs.RunView.as_view(), name="run"),
    path("generations/<int:run_id>/events", events.EventsView.as_view(), name="events"),
    path("generations/<int:run_id>/cancel", runs.CancelView.as_view(), name="cancel"),
    path("generations/<int:run_id>/retry", runs.RetryView.as_view(), name="retry"),
    path("generations/<int:run_id>/approve", runs.ApproveView.as_view(), name="approve"),
    path("generations/<int:run_id>/reject", runs.RejectView.as_view(), name="reject"),
    path("cadences", cadences.CadencesView.as_view(), name="cadences"),
    path("agents/<handle:handle>/cadence", cadences.CadenceView.as_view(), name="cadence"),
    path("posts/<int:post_id>/provenance", provenance.ProvenanceView.as_view(), name="provenance"),
    path("messages/<int:message_id>/provenance", provenance.MessageProvenanceView.as_view(), name="message-provenance"),
]
