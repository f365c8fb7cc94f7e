using System.Numerics;
using Granary.Index.Memory;

namespace Granary.Index.Text;

/// <summary>
/// The terms of a field by their texts, in one array, which a look-up reads in one place mostly. One thread adds and drops terms; any
/// number look up, without locks. A term that was dropped keeps its place until the array is made anew, at the latest when more were
/// dropped than are there.
/// </summary>
internal sealed class TermTable
{
    private const int LeastPlaces = 64;
    private Place[] _places = new Place[LeastPlaces];
    private int _taken;
    private int _dropped;

    /// <summary>How many terms there are.</summary>
    public int Count => _taken - _dropped;

    /// <summary>Bytes held, without the terms.</summary>
    public long Bytes => 16L * _places.Length;

    /// <summary>What a text is looked up by; the same in every table.</summary>
    public static int HashOf(ReadOnlySpan<char> text) => string.GetHashCode(text);

    /// <summary>The term of a text; null where there is none.</summary>
    public TextField.Term? Find(ReadOnlySpan<char> text) => Find(text, HashOf(text));

    /// <summary>The term of a text with a hash; null where there is none.</summary>
    public TextField.Term? Find(ReadOnlySpan<char> text, int hash)
    {
        var places = Volatile.Read(ref _places);
        for (var at = hash & (places.Length - 1); ; at = (at + 1) & (places.Length - 1))
        {
            ref var place = ref places[at];
            if (Volatile.Read(ref place.Term) is not { } term)
                return null;
            if (place.Hash == hash && !term.IsDropped && text.SequenceEqual(term.Text))
                return term;
        }
    }

    /// <summary>Has the place of a hash fetched.</summary>
    public void Prefetch(int hash)
    {
        var places = Volatile.Read(ref _places);
        Prefetching.Of(ref places[hash & (places.Length - 1)]);
    }

    /// <summary>The first term with a hash, most likely the one that is looked for; null where there is none.</summary>
    public TextField.Term? Guess(int hash)
    {
        var places = Volatile.Read(ref _places);
        for (var at = hash & (places.Length - 1); ; at = (at + 1) & (places.Length - 1))
        {
            ref var place = ref places[at];
            if (Volatile.Read(ref place.Term) is not { } term || place.Hash == hash)
                return place.Term;
        }
    }

    /// <summary>Makes room for so many terms in a table that has none yet, so that it is not made anew while they are added.</summary>
    public void Reserve(int terms) => _places = NewPlaces(terms);

    /// <summary>Adds a term whose text is not there.</summary>
    /// <returns>False, and nothing is added, where it is.</returns>
    public bool TryAdd(TextField.Term term)
    {
        var hash = HashOf(term.Text);
        if (Find(term.Text, hash) is not null)
            return false;
        if ((_taken + 1) * 8L > _places.Length * 5L)
            Rebuild();
        Put(_places, hash, term);
        _taken++;
        return true;
    }

    /// <summary>Drops a term; one of the same text may be added then.</summary>
    public void Drop(TextField.Term term)
    {
        term.IsDropped = true;
        _dropped++;
        if (_dropped > LeastPlaces && _dropped > _taken - _dropped)
            Rebuild();
    }

    private void Rebuild()
    {
        var places = NewPlaces(Count + 1);
        foreach (var place in _places)
        {
            if (place.Term is { IsDropped: false } term)
                Put(places, place.Hash, term);
        }

        (_taken, _dropped) = (_taken - _dropped, 0);
        Volatile.Write(ref _places, places);
    }

    private static Place[] NewPlaces(int terms) =>
        new Place[Math.Max(LeastPlaces, (int)BitOperations.RoundUpToPowerOf2((uint)(terms * 2L)))];

    private static void Put(Place[] places, int hash, TextField.Term term)
    {
        var at = hash & (places.Length - 1);
        while (places[at].Term is not null)
            at = (at + 1) & (places.Length - 1);
        places[at].Hash = hash;
        Volatile.Write(ref places[at].Term, term);
    }

    // The hash is published by the term.
    private struct Place
    {
        public TextField.Term? Term;
        public int Hash;
    }
}
