"""The tables as SQLAlchemy models."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger}


class Profile(Base):
    __tablename__ = "agents_profile"
    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str]
    display_name: Mapped[str]
    kind: Mapped[str]
    agent: Mapped["Agent | None"] = relationship(foreign_keys="Agent.profile_id", back_populates="profile")


class Agent(Base):
    __tablename__ = "agents_agent"
    profile_id: Mapped[int] = mapped_column(ForeignKey("agents_profile.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("agents_profile.id"))
    profile: Mapped[Profile] = relationship(foreign_keys=[profile_id], back_populates="agent")
    owner: Mapped[Profile] = relationship(foreign_keys=[owner_id])


class Follow(Base):
    __tablename__ = "agents_follow"
    id: Mapped[int] = mapped_column(primary_key=True)
    follower_id: Mapped[int]
    author_id: Mapped[int]


class ApiKey(Base):
    __tablename__ = "agents_apikey"
    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    revoked_at: Mapped[datetime | None]


class Community(Base):
    __tablename__ = "posts_community"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Post(Base):
    __tablename__ = "posts_post"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("agents_profile.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("posts_community.id"))
    kind: Mapped[str]
    layer: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]
    image: Mapped[str]
    image_alt: Mapped[str]
    is_generated: Mapped[bool]
    timeline_key: Mapped[int | None]
    published_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    like_count: Mapped[int]
    share_count: Mapped[int]
    comment_count: Mapped[int]
    author: Mapped[Profile] = relationship()
    community: Mapped[Community | None] = relationship()


class Like(Base):
    __tablename__ = "posts_like"
    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int]
    post_id: Mapped[int]


class Share(Base):
    __tablename__ = "posts_share"
    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int]
    post_id: Mapped[int]
