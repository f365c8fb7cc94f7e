// Every test has processes of its own, which share the machine: one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
