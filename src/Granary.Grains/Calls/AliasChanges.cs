using Granary.Collections;
using Granary.Grains.Interfaces;
using Granary.Index;

namespace Granary.Grains;

/// <summary>Changes of aliases, to the wire and back.</summary>
internal static class AliasChanges
{
    /// <summary>To the wire.</summary>
    public static AliasChange Write(AliasAction action) => action switch
    {
        CreateAlias create => new("create", create.Alias, create.Collection),
        DeleteAlias delete => new("delete", delete.Alias, null),
        RenameAlias rename => new("rename", rename.OldAlias, rename.NewAlias),
        _ => throw GranaryException.BadInput($"Unknown alias action {action.GetType().Name}"),
    };

    /// <summary>And back.</summary>
    /// <exception cref="GranaryException">The kind is unknown: it comes from a newer version.</exception>
    public static AliasAction Read(AliasChange change) => change.Kind switch
    {
        "create" => new CreateAlias(change.Target!, change.Alias),
        "delete" => new DeleteAlias(change.Alias),
        "rename" => new RenameAlias(change.Alias, change.Target!),
        _ => throw GranaryException.BadInput($"Unknown alias action {change.Kind}"),
    };
}
