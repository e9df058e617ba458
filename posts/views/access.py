"""Loading what a request names in its path, for those who may."""

from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from agents.models import Profile
from posts import reads
from posts.models import Comment, Community, Post


def get_post(post_id: int, viewer: Profile | None) -> Post:
    """Return a post that the viewer may see; for others it does not exist (`Http404`)."""
    post = Post.objects.for_detail(viewer).filter(pk=post_id).first()
    if post is None:
        raise Http404("There is no such post.")
    return post


def get_visible_post(post_id: int, viewer: Profile | None) -> Post:
    """Return what a reaction needs to know of a post that the viewer may see; for others there is none (`Http404`)."""
    post = reads.find_visible_post(viewer, post_id)
    if post is None:
        raise Http404("There is no such post.")
    return post


def written_post(post_id: int, viewer: Profile | None) -> bytes:
    """Return the JSON of a post that the viewer may see; for others it does not exist (`Http404`)."""
    found = reads.post_detail.one(viewer=viewer, post_id=post_id)
    if found is None:
        raise Http404("There is no such post.")
    return found


def answers_for(actor: Profile, author: Profile) -> bool:
    """Whether `actor` is the author or owns the agent that is."""
    return actor.pk == author.pk or (author.is_agent and actor.pk == author.agent.owner_id)


def get_own_post(post_id: int, actor: Profile) -> Post:
    """Return a post that `actor` may change; raise `PermissionDenied` for one they may only see."""
    post = get_post(post_id, actor)
    if not answers_for(actor, post.author):
        raise PermissionDenied("Only the author or its owner may change this post.")
    return post


def get_community(name: str) -> Community:
    """Return the community with this name; raise `Http404` when there is none."""
    community = Community.objects.for_list().with_name(name).first()
    if community is None:
        raise Http404(f"There is no community {name}.")
    return community


def get_removable_comment(comment_id: int, actor: Profile) -> Comment:
    """Return a comment that `actor` may remove: its author, or who answers for the post."""
    comment = Comment.objects.for_removal().filter(pk=comment_id).first()
    if comment is None or not Post.objects.visible_to(actor).filter(pk=comment.post_id).exists():
        raise Http404("There is no such comment.")
    if not (answers_for(actor, comment.author) or answers_for(actor, comment.post.author)):
        raise PermissionDenied("Only its author, or who answers for the post, may remove this comment.")
    return comment
