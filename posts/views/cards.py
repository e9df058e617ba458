from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.serializers import StrictSerializer
from agents.api.views import ApiView
from agents.knowledge.services.cards import UnusableQuote
from agents.knowledge.views.research import get_own_card
from posts.models import Post
from posts.serializers import LayerField, PostDetail
from posts.services.cards import post_card
from posts.views.access import get_post


class CardToPost(StrictSerializer):
    layer = LayerField(default=Post.Layer.PUBLIC)


class CardPostView(ApiView):
    """Make a post of a card; asked again, it answers with that post."""

    scopes = {"POST": "post"}

    @extend_schema(request=CardToPost, responses={200: PostDetail, 201: PostDetail})
    @idempotent
    def post(self, request: Request, card_id: int) -> Response:
        card = get_own_card(card_id, self.actor)
        try:
            post, is_new = post_card(card=card, layer=self.body(CardToPost)["layer"])
        except UnusableQuote as reason:
            raise ValidationError({"layer": [str(reason)]}) from None
        data = PostDetail(get_post(post.pk, self.actor), context={"request": request}).data
        return Response(data, status=201 if is_new else 200)
