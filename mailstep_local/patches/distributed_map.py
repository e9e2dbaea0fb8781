"""Distributed Map with JSONata: MiniStack reads the Arguments of an ItemReader as they are written."""

from typing import Any

from ministack.services import stepfunctions

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "services.stepfunctions:_apply_jsonata_arguments": "state_def, raw_input, ctx",
        "services.stepfunctions:_run_distributed_map": "state_def, raw_input, effective, iterator, execution, ctx",
        "services.stepfunctions:_state_query_language": "state_def, ctx",
    }
)


def apply() -> None:
    """Evaluate the Arguments first (AWS Step Functions Developer Guide, "ItemReader (Map)")."""
    run = MINISTACK.original("services.stepfunctions:_run_distributed_map")

    def run_evaluated(state_def: dict[str, Any], raw_input: Any, effective: Any, iterator: Any, *others: Any) -> Any:
        reader, ctx = state_def.get("ItemReader"), others[-1]
        if reader and stepfunctions._state_query_language(state_def, ctx) == "JSONata":
            evaluated = stepfunctions._apply_jsonata_arguments(reader, raw_input, ctx)
            state_def = {**state_def, "ItemReader": {**reader, "Arguments": evaluated}}
        return run(state_def, raw_input, effective, iterator, *others)

    MINISTACK.replace("services.stepfunctions:_run_distributed_map", run_evaluated)
