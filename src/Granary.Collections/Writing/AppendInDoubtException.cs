namespace Granary.Collections.Writing;

/// <summary>It is unknown whether records got into a log: the storage could not be asked.</summary>
internal sealed class AppendInDoubtException(IOException lost) : IOException(lost.Message, lost);
