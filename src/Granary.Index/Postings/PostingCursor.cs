namespace Granary.Index.Postings;

/// <summary>Walks one posting list, decoding only the blocks it must.</summary>
internal sealed class PostingCursor
{
    /// <summary>The row of a cursor that is at its end.</summary>
    public const int End = int.MaxValue;

    private readonly int[] _rows = new int[BlockCodec.Size];
    private readonly uint[] _payloads = new uint[BlockCodec.Size];
    private PostingList.View _view = PostingList.View.Empty;
    private int _blocks;
    private int _tailCount;
    private int _block; // The blocks' count stands for the tail.
    private int _index;
    private int _count;
    private bool _decoded;
    private bool _payloadsDecoded;
    private double _tailBound;
    private double _blockBound;
    private int _blockBoundOf;

    /// <summary>The current row, or, until <see cref="Settle"/>, a row it cannot be below.</summary>
    public int Row { get; private set; }

    /// <summary>The current posting's payload.</summary>
    public uint Payload
    {
        get
        {
            if (!_payloadsDecoded)
            {
                _view.Blocks!.ReadPayloads(_block, _payloads);
                _payloadsDecoded = true;
            }

            return _payloads[_index];
        }
    }

    /// <summary>A bound on any contribution of the whole list.</summary>
    public double Bound { get; private set; }

    /// <summary>Starts over a list as it is now.</summary>
    public void Open<TScorer>(PostingList list, int term, ref TScorer scorer)
        where TScorer : struct, IPostingScorer
    {
        _view = list.Current;
        _blocks = _view.Blocks?.Count ?? 0;
        _tailCount = _view.TailCount;
        _block = 0;
        _blockBoundOf = -1;
        _decoded = false;
        Row = 0;
        _tailBound = 0;
        for (var i = 0; i < _tailCount; i++)
            _tailBound = Math.Max(_tailBound, scorer.Contribution(term, (int)(_view.Tail[i] >> 32), (uint)_view.Tail[i]));
        Bound = _blocks == 0 ? _tailBound : Math.Max(_tailBound, scorer.Bound(term, _view.Blocks!.Total));
        if (_blocks == 0 && _tailCount == 0)
            Row = End;
    }

    /// <summary>Lets go of the list.</summary>
    public void Close() => _view = PostingList.View.Empty;

    /// <summary>Moves to the first row at or above a target without decoding more than it must: <see cref="Row"/> may be only a lower
    /// bound.</summary>
    public void Skip(int target)
    {
        if (Row >= target)
            return;
        var before = _block;
        while (_block < _blocks && _view.Blocks!.Last[_block] < target)
            _block++;
        if (_block != before)
            _decoded = false;
        if (_decoded)
        {
            while (_index < _count && _rows[_index] < target)
                _index++;
            Row = _index < _count ? _rows[_index] : End; // Only the tail can run out: a block's last row is at or above the target.
        }
        else
        {
            var floor = _blocks == 0 ? 0 : _view.Blocks!.Before(_block) + 1;
            Row = _block == _blocks && _tailCount == 0 ? End : Math.Max(target, floor);
        }
    }

    /// <summary>Makes <see cref="Row"/> exact.</summary>
    public void Settle()
    {
        if (_decoded || Row == End)
            return;
        if (_block < _blocks)
        {
            _view.Blocks!.ReadRows(_block, _rows);
            _count = BlockCodec.Size;
            _payloadsDecoded = false;
        }
        else
        {
            _count = _tailCount;
            for (var i = 0; i < _count; i++)
            {
                _rows[i] = (int)(_view.Tail[i] >> 32);
                _payloads[i] = (uint)_view.Tail[i];
            }

            _payloadsDecoded = true;
        }

        _decoded = true;
        _index = 0;
        while (_index < _count && _rows[_index] < Row)
            _index++;
        Row = _index < _count ? _rows[_index] : End;
    }

    /// <summary>Moves to the first row at or above a target.</summary>
    public void Seek(int target)
    {
        Skip(target);
        Settle();
    }

    /// <summary>Moves to the next row; the current one must be exact and not the end.</summary>
    public void Next()
    {
        if (++_index < _count)
        {
            Row = _rows[_index];
            return;
        }

        if (_block >= _blocks)
        {
            Row = End;
            return;
        }

        Row = _rows[_count - 1] + 1;
        _block++;
        _decoded = false;
        if (_block == _blocks && _tailCount == 0)
            Row = End;
        else
            Settle();
    }

    /// <summary>A bound on the contribution of any row from the current one to below <paramref name="end"/>.</summary>
    public double WindowBound<TScorer>(int term, int end, ref TScorer scorer)
        where TScorer : struct, IPostingScorer
    {
        if (Row >= end)
            return 0;
        var bound = 0.0;
        for (var block = _block; block < _blocks; block++)
        {
            if (block > _block && _view.Blocks!.Before(block) + 1 >= end)
                return bound;
            if (block != _blockBoundOf)
            {
                _blockBound = scorer.Bound(term, _view.Blocks!.Summary(block));
                _blockBoundOf = block;
            }

            bound = Math.Max(bound, _blockBound);
        }

        return _blocks == 0 || _block == _blocks || _view.Blocks!.Last[_blocks - 1] + 1 < end ? Math.Max(bound, _tailBound) : bound;
    }
}
