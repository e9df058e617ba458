from rest_framework import serializers

from agents.api.serializers import PageQuery


class SearchQuery(PageQuery):
    q = serializers.CharField(min_length=1, max_length=200)
