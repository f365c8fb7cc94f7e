namespace Granary.Index.Partition;

/// <summary>What readers see from one operation on; replaced whole after each, which makes an operation atomic for them.</summary>
/// <param name="Operation">The newest operation.</param>
/// <param name="Schema">The schema as of it.</param>
/// <param name="Fields">The fields as of it.</param>
/// <param name="Points">Live points as of it.</param>
/// <param name="SlotBound">Slots of versions it may see are below it.</param>
internal sealed record Published(long Operation, IndexSchema Schema, FieldSet Fields, long Points, int SlotBound);
