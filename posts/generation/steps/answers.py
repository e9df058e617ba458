from typing import Any

from django.db.models import F

from agents.inbox.models import Message
from posts.generation import cleaning, context
from posts.generation.models import Run, RunStep
from posts.generation.passages import passages_about
from posts.generation.providers.base import TextPrompt
from posts.generation.steps import Output, Writing

# How much of a conversation a model is shown, in messages and in characters of each.
NEWEST, LONGEST = 20, 2000
LONGEST_QUESTION = 1000
LONGEST_ANSWER = 4000
INSTRUCTION = (
    "Answer the last messages of the conversation under material, in one to six sentences. Use only what the passages"
    " and the voice say. If they do not hold the answer, or if only a person can decide, promise or do what is asked"
    " for, say so in the body and set needs_human to true."
)


class NothingToAnswerError(Exception):
    """Nothing was said since the agent's last message."""


def read_messages(run: Run) -> Output:
    """Read the newest messages, and what this run was refused because the agent had said it before."""
    newest = list(Message.objects.for_list(run.conversation_id or 0)[:NEWEST])
    since = _answered_up_to(run, newest)
    asked = [message.body for message in newest if message.sender_id != run.agent_id and message.pk > since]
    if not asked:
        raise NothingToAnswerError("There is nothing to answer any more.")
    messages = [
        {"from": message.sender.handle, "is_mine": message.sender_id == run.agent_id, "text": message.body[:LONGEST]}
        for message in newest
    ]
    drafts = RunStep.objects.filter(run=run, take__lt=run.take, name="answer", state=RunStep.State.DONE)
    return {
        "messages": messages[::-1],
        "asked": "\n".join(asked[::-1])[-LONGEST_QUESTION:],
        "read_up_to": newest[0].pk,
        "refused": list(drafts.values_list("output__body", flat=True)),
    }


def _answered_up_to(run: Run, newest: list[Message]) -> int:
    """Return the key of the last message that the agent's newest one answers: what came while it wrote is not."""
    mine = next((message for message in newest if message.sender_id == run.agent_id), None)
    if mine is None or not mine.is_generated:
        return mine.pk if mine else 0
    read = RunStep.objects.filter(run__reply=mine, take=F("run__take"), name="read_messages")
    return read.values_list("output__read_up_to", flat=True).first() or mine.pk


def research(run: Run, *, read_messages: Output) -> Output:
    """Gather the passages that bear on what was asked."""
    return {"passages": passages_about(run=run, topic=read_messages["asked"])}


def answer(run: Run, *, read_messages: Output, load_context: Output, research: Output) -> Writing:
    """Write the answer, or say that a person must."""
    result = yield TextPrompt(
        task="answer",
        instruction=INSTRUCTION,
        topic=read_messages["asked"],
        voice=context.voice_of(load_context),
        passages=context.passages_of(research),
        material=_transcript(read_messages),
        max_tokens=800,
    )
    body = cleaning.clean_body(result.data["body"], allowed_urls=context.urls_of(research))[:LONGEST_ANSWER]
    if not body:
        raise ValueError("Nothing is left of the answer once it is cleaned.")
    return {"body": body, "needs_human": result.data["needs_human"]}


def compose_message(run: Run, *, answer: Output) -> dict[str, Any]:
    """Return the fields of the message."""
    return {"body": answer["body"], "needs_human_input": answer["needs_human"]}


def _transcript(read: Output) -> str:
    lines = [f"{'you' if message['is_mine'] else message['from']}: {message['text']}" for message in read["messages"]]
    if read["refused"]:
        lines += ["", "Drafts that repeat what you said before; say something else:", *read["refused"]]
    return "\n".join(lines)
