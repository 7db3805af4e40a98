"""The last attempt at each point in each environment as an Arrow table, for what has no need of a frame."""

from collections.abc import Sequence

import pyarrow as pa

from octprobe.errors import StoreError
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


def refuse_empty(store: Store, contents: Contents) -> None:
    """Stop where there is no row to answer from.

    Raises:
        StoreError: no row could be read.
    """
    if contents.table.num_rows:
        return
    if contents.damaged:
        raise StoreError(f"{store.path} holds no rows that can be read: {contents.damaged[0]}")
    raise StoreError(
        f"{store.path} holds no rows yet; `octprobe sweep FILE --store {store.path}` measures some."
    )
