namespace Granary.Index.Operations;

/// <summary>What an operation does. The numbers are part of the log format.</summary>
public enum OperationKind : byte
{
    /// <summary>Nothing; a gap filler.</summary>
    None = 0,

    /// <summary>Inserts or replaces a point whole.</summary>
    Upsert = 1,

    /// <summary>Deletes a point, or every point a filter matches.</summary>
    Delete = 2,

    /// <summary>Merges an object into the payload, at the root or under a key.</summary>
    SetPayload = 3,

    /// <summary>Replaces the payload.</summary>
    OverwritePayload = 4,

    /// <summary>Removes keys of the payload.</summary>
    DeletePayload = 5,

    /// <summary>Removes the whole payload.</summary>
    ClearPayload = 6,

    /// <summary>Replaces the named vectors it carries and leaves the others.</summary>
    UpdateVectors = 7,

    /// <summary>Removes named vectors.</summary>
    DeleteVectors = 8,

    /// <summary>Adds or replaces a payload index.</summary>
    CreatePayloadIndex = 9,

    /// <summary>Removes a payload index.</summary>
    DropPayloadIndex = 10,

    /// <summary>Sets vectors computed from a point's text, if the operation they came from is still the point's newest.</summary>
    ApplyEmbedding = 11,

    /// <summary>Replaces the schema (vectors or text fields added, dropped or changed).</summary>
    ChangeSchema = 12,
}

/// <summary>Details of an operation.</summary>
[Flags]
public enum OperationFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>An upsert that leaves existing points alone.</summary>
    InsertOnly = 1,

    /// <summary>An upsert that leaves unknown ids alone.</summary>
    UpdateOnly = 2,

    /// <summary>The target is a filter, evaluated when the operation is applied.</summary>
    ByFilter = 4,

    /// <summary>The point's text is to be embedded in the background.</summary>
    AwaitsEmbedding = 8,
}
