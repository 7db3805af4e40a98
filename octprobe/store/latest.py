"""The last attempt at each point in each environment as an Arrow table, for what has no need of a frame."""

from collections.abc import Sequence

import pyarrow as pa

from octprobe.store.attempts import ATTEMPT_COLUMNS, last_attempts
from octprobe.store.schema import SCHEMA, encode_text
from octprobe.store.store import Contents, Store


def read_last_attempts(store: Store, columns: Sequence[str] = tuple(SCHEMA.names)) -> Contents:
    """Read some columns of one row a (`point_id`, `env_id`), the last attempt, in the order stored.

    Raises:
        StoreError: a part was written by a newer octprobe.
    """
    contents = store.read(list(dict.fromkeys([*columns, *ATTEMPT_COLUMNS])))
    kept = last_attempts(encode_text(contents.table.select(list(ATTEMPT_COLUMNS)), ["env_id"]))
    wanted = contents.table.select(list(columns))
    return Contents(wanted if kept.all() else wanted.filter(pa.array(kept)), contents.damaged)
