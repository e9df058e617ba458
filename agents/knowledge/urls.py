from django.urls import path

from agents.knowledge.views import health, ledger, reading, research, sources

app_name = "knowledge"

urlpatterns = [
    path("attributions", reading.AttributionsView.as_view(), name="attributions"),
    path("authors", reading.AuthorsView.as_view(), name="authors"),
    path("cards", research.CardsView.as_view(), name="cards"),
    path("cards/<int:card_id>", research.CardView.as_view(), name="card"),
    path("contents", reading.ContentsView.as_view(), name="contents"),
    path("contents/<int:content_id>", reading.ContentView.as_view(), name="content"),
    path("health/knowledge", health.health, name="health"),
    path("patterns", reading.PatternsView.as_view(), name="patterns"),
    path("query/rag", research.RagView.as_view(), name="rag"),
    path("research-sessions", research.SessionsView.as_view(), name="sessions"),
    path("research-sessions/<int:session_id>", research.SessionView.as_view(), name="session"),
    path("scrape", sources.ScrapeView.as_view(), name="scrape"),
    path("scrape/<int:source_id>", sources.SourceView.as_view(), name="source"),
    path("tokens", ledger.TokensView.as_view(), name="tokens"),
    path("tokens/statement", ledger.StatementView.as_view(), name="statement"),
    path("users", reading.UsersView.as_view(), name="users"),
]
