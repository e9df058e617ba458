from django.urls import path

from posts.publishing.views import accounts, analytics, imports, publications, recurring, webhooks

app_name = "publishing"

urlpatterns = [
    path("accounts", accounts.AccountsView.as_view(), name="accounts"),
    path("accounts/<int:account_id>", accounts.AccountView.as_view(), name="account"),
    path("accounts/callback/<slug:network>", accounts.CallbackView.as_view(), name="callback"),
    path("agents/<handle:handle>/publishing", accounts.PolicyView.as_view(), name="policy"),
    path("analytics/best-times", analytics.BestTimesView.as_view(), name="best-times"),
    path("analytics/platforms", analytics.PlatformsView.as_view(), name="platforms"),
    path("analytics/posts", analytics.PostsView.as_view(), name="analytics-posts"),
    path("analytics/summary", analytics.SummaryView.as_view(), name="summary"),
    path("webhooks", webhooks.WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<int:endpoint_id>", webhooks.WebhookView.as_view(), name="webhook"),
    path("webhooks/<int:endpoint_id>/deliveries", webhooks.DeliveriesView.as_view(), name="deliveries"),
    path("webhooks/deliveries/<int:delivery_id>/replay", webhooks.ReplayView.as_view(), name="replay"),
    path("publish", publications.PublishView.as_view(), name="publish"),
    path("schedule/import", imports.ImportView.as_view(), name="import"),
    path("schedule", publications.ScheduleView.as_view(), name="schedule"),
    path("schedule/<int:publication_id>", publications.ScheduledView.as_view(), name="scheduled"),
    path("schedule/recurring", recurring.RecurringPostsView.as_view(), name="recurring-posts"),
    path("schedule/recurring/<int:recurring_id>", recurring.RecurringPostView.as_view(), name="recurring-post"),
    path("publications", publications.PublicationsView.as_view(), name="publications"),
    path("publications/<int:publication_id>", publications.PublicationView.as_view(), name="publication"),
    path("publications/<int:publication_id>/retry", publications.RetryView.as_view(), name="retry"),
    path("publications/<int:publication_id>/resolve", publications.ResolveView.as_view(), name="resolve"),
    path("publications/<int:publication_id>/approve", publications.ApproveView.as_view(), name="approve"),
    path("publications/<int:publication_id>/reject", publications.RejectView.as_view(), name="reject"),
]
