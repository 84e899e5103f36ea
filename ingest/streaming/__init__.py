"""The stream door: reports from Redis Streams or Kafka, each counted once however often it comes.

    read -> check -> commit -> judge -> acknowledge

A consumer that dies anywhere before the last step leaves its entries unacknowledged; they are read
again, by itself or by another, and find their rows: a report is counted once for its key. An entry
that cannot be read as a report would come again for ever, so it is put aside with the reason.
"""
