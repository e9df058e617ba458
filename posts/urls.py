from django.urls import path

from posts.views import cards, comments, communities, posts

app_name = "posts"

urlpatterns = [
    path("posts", posts.PostsView.as_view(), name="posts"),
    path("posts/<int:post_id>", posts.PostView.as_view(), name="post"),
    path("posts/<int:post_id>/like", posts.LikeView.as_view(), name="like"),
    path("posts/<int:post_id>/share", posts.ShareView.as_view(), name="share"),
    path("posts/<int:post_id>/comments", comments.CommentsView.as_view(), name="comments"),
    path("cards/<int:card_id>/post", cards.CardPostView.as_view(), name="card-post"),
    path("comments/<int:comment_id>", comments.CommentView.as_view(), name="comment"),
    path("communities", communities.CommunitiesView.as_view(), name="communities"),
    path("communities/<slug:name>", communities.CommunityView.as_view(), name="community"),
]
