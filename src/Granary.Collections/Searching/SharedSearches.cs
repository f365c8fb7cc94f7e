using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Searching;

/// <summary>
/// Searches that one query asks of several partitions in one process, in one message: where all of them are for one text, they share the
/// score that is still of interest. It holds for the share of all points that these partitions have; who asked compares it with the last
/// of the best of all, and asks again where it was too high (QueryCoordinator), so that the answer does not depend on it.
/// </summary>
public static class SharedSearches
{
    /// <summary>Texts are searched faster than vectors: below so many points, one partition after another.</summary>
    public const long ParallelFrom = 200_000;

    /// <summary>How far beyond its share of the best of all a sample's hits are guessed to be worse than the last of these.</summary>
    private const double Deviations = 1;

    /// <summary>The requests of the messages, with a floor that they share; null where they are not all for one text.</summary>
    public static PartitionRequest[]? TryShare(IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        if (messages.Count < 2)
            return null;
        var requests = new PartitionRequest[messages.Count];
        ScoreFloor? shared = null;
        TextLeg? first = null;
        try
        {
            for (var i = 0; i < requests.Length; i++)
            {
                requests[i] = SearchWire.DecodeRequest(messages[i]);
                if (requests[i].Legs is not [TextLeg { Candidates: null, Known: not null, Floor: { } told } leg]
                    || told.Partitions < messages.Count || !IsSame(first ??= leg, leg))
                    return null;
                shared ??= new ScoreFloor(ShareLimit(told.Limit, (double)messages.Count / told.Partitions));
                shared.Raise(told.Value);
                requests[i] = requests[i] with { Legs = [leg with { Floor = shared }] };
            }
        }
        catch (GranaryException)
        {
            // Whoever answers the message says what is wrong with it.
            return null;
        }

        return requests;
    }

    /// <summary>How many of the best of all are rarely to be found in a share of all points.</summary>
    internal static int ShareLimit(int limit, double part, double deviations = Deviations)
    {
        var share = limit * part;
        var wanted = Math.Ceiling(share + 1 + (deviations * Math.Sqrt(share * (1 - part))));
        return wanted < limit ? (int)wanted : limit;
    }

    private static bool IsSame(TextLeg a, TextLeg b) =>
        a.Field == b.Field && a.Text == b.Text && a.EveryTerm == b.EveryTerm && a.Floor!.Limit == b.Floor!.Limit
        && a.Floor.Partitions == b.Floor.Partitions && a.Known!.All.Documents == b.Known!.All.Documents
        && a.Known.All.TotalLength == b.Known.All.TotalLength
        && a.Known.All.Frequencies.AsSpan().SequenceEqual(b.Known.All.Frequencies.AsSpan());
}
