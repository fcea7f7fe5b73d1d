"""What ``napari-brats cohort`` does and says when its run is over."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.metrics.ranking import Ranked
    from napari_brats.workflows.cohort.plan import Plan
    from napari_brats.workflows.cohort.row import Row


def rank(plan: "Plan", terminal: "Terminal") -> "list[Ranked]":
    """Rank all patients of the cohort, worst first."""
    from napari_brats.workflows.queue import build_queue

    with terminal.progress("ranking") as on_step:
        return build_queue(plan.layout.root, on_step=on_step)


def tell(
    plan: "Plan",
    rows: "list[Row]",
    ranked: "list[Ranked]",
    seconds: float,
    terminal: "Terminal",
) -> None:
    """Say what came of a run."""
    from napari_brats.workflows.cohort.plan import in_words

    failed = [row for row in rows if row.reason]
    queue = plan.layout.queue
    if terminal.json:
        terminal.result(
            {
                **plan.to_json(),
                "done": len(rows) - len(failed),
                "failed": [
                    {"patient": row.patient, "model": row.model, "reason": row.reason}
                    for row in failed
                ],
                "seconds": round(seconds, 1),
                "table": str(plan.layout.csv),
                "page": str(plan.layout.html),
                "queue": str(queue) if ranked else None,
            }
        )
        return
    terminal.say(
        f"{len(rows) - len(failed)} masks done, {len(failed)} failed"
        + (f", {plan.masks} of them in this run ({in_words(seconds)})" if plan.masks else "")
    )
    if failed:
        terminal.say("the reasons are in the table; --retry-failed tries them again")
    terminal.say(f"table: {plan.layout.csv}")
    terminal.say(f"page: {plan.layout.html}")
    if ranked:
        why = "; ".join(ranked[0].reasons) or "nothing unusual"
        terminal.say(f"queue: {queue}, first {ranked[0].case} ({why})")
