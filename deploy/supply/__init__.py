"""The packages that Guardian uses: pinned by hash, listed, with licences and known faults."""
