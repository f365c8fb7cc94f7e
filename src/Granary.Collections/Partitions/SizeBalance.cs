using Granary.Collections.Catalog;

namespace Granary.Collections.Partitions;

/// <summary>
/// Keeps silos level by bytes while collections are placed one after the other, the largest first: consistent hashing with bounded loads
/// (Mirrokni et al., 2018). A collection gives each silo as many replicas as any other, or one more; who may get one more is said here.
/// A silo may while it then has at most 1.25 times its fair share of everything, or while it has less than its fair share yet, which lets
/// large ones in. Where these are fewer than the replicas that are left over, as when a few collections with several replicas have
/// most of the bytes, the emptiest silos get them.
/// </summary>
/// <remarks>
/// Before the last is placed there is always a silo with less than its fair share. So where collections have one replica left over at most,
/// no silo gets more than 1.25 times its fair share, or its fair share and one replica of the largest class, whichever is more.
/// </remarks>
internal sealed class SizeBalance
{
    private readonly long[] _bytes;
    private readonly long _total;

    /// <param name="collections">Everything that goes by size.</param>
    /// <param name="silos">How many silos there are.</param>
    public SizeBalance(IEnumerable<PlacedCollection> collections, int silos)
    {
        var toEach = 0L;
        foreach (var collection in collections)
        {
            var replicas = collection.Partitions * Math.Min(collection.Replicas, silos);
            toEach += Size(collection) * (replicas / silos);
            _total += Size(collection) * replicas;
        }

        // What each gets of every collection, those placed later as well, it has from the beginning.
        _bytes = new long[silos];
        Array.Fill(_bytes, toEach);
    }

    /// <summary>The silos that may get one replica more of a collection than others: as many as are left over, at least.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="leftOver">Its replicas that are left over when all silos have the same number; fewer than silos.</param>
    public bool[] MayHaveMore(PlacedCollection collection, int leftOver)
    {
        var size = Size(collection);
        var emptiest = leftOver == 0 ? 0 : _bytes.Order().ElementAt(leftOver - 1);
        // Compared without division: the share is a fraction.
        return Array.ConvertAll(_bytes, bytes =>
            4 * _bytes.Length * (bytes + size) <= 5 * _total || _bytes.Length * bytes < _total || bytes <= emptiest);
    }

    /// <summary>Takes note of a replica that a silo has of a collection beyond what each has.</summary>
    public void AddMore(PlacedCollection collection, int silo) => _bytes[silo] += Size(collection);

    /// <summary>Of one replica, in units of the bound of class 0.</summary>
    private static long Size(PlacedCollection collection) => 1L << SizeClass.Clamp(collection.SizeClass);
}
