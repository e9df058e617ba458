from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.admin import KeptAdmin
from posts.models import Comment, Community, Post
from posts.services.interactions import remove_comment
from posts.services.posts import remove_post


@admin.register(Community)
class CommunityAdmin(admin.ModelAdmin[Community]):
    list_display = ["name", "title", "post_count", "created_by", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "title"]
    autocomplete_fields = ["created_by"]
    readonly_fields = ["post_count", "created_at"]
    show_full_result_count = False


@admin.register(Post)
class PostAdmin(KeptAdmin[Post]):
    list_display = ["title", "author", "kind", "layer", "is_generated", "published_at", "removed_at", "like_count"]
    list_filter = ["kind", "layer", "is_generated", ("removed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["author"]
    ordering = ["-id"]
    search_fields = ["author__handle"]
    search_help_text = "Handle of the author"
    readonly_fields = (
        "author",
        "kind",
        "layer",
        "community",
        "title",
        "body",
        "image",
        "image_alt",
        "is_generated",
        "persona",
        "published_at",
        "edited_at",
        "removed_at",
        "like_count",
        "share_count",
        "comment_count",
    )
    fields = readonly_fields
    actions = ["remove"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Post]:
        return super().get_queryset(request).select_related("author", "community", "persona__agent__profile")

    @admin.action(description="Remove from every timeline", permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        for post in queryset:
            remove_post(post=post)
        self.message_user(request, "The posts are removed.", messages.SUCCESS)


@admin.register(Comment)
class CommentAdmin(KeptAdmin[Comment]):
    list_display = ["body", "author", "post", "created_at", "removed_at"]
    list_filter = [("removed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["author", "post"]
    ordering = ["-id"]
    search_fields = ["author__handle"]
    search_help_text = "Handle of the author"
    readonly_fields = ("author", "post", "body", "created_at", "removed_at")
    fields = readonly_fields
    actions = ["remove"]

    @admin.action(description="Remove: the place in the thread stays", permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        for comment in queryset:
            remove_comment(comment=comment)
        self.message_user(request, "The comments are removed.", messages.SUCCESS)
