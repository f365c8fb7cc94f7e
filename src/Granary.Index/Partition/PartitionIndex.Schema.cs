using Granary.Index.Memory;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <content>Payload indexes and fields that come and go.</content>
public sealed partial class PartitionIndex
{
    private void CreateIndex(PayloadIndexSchema index)
    {
        _indexes.Create(index, _payloads, TakenSlots());
        _schema = _schema with { PayloadIndexes = [.. _schema.PayloadIndexes.Where(i => i.Path != index.Path), index] };
    }

    private void DropIndex(string path)
    {
        _indexes.Drop(path);
        _schema = _schema with { PayloadIndexes = [.. _schema.PayloadIndexes.Where(i => i.Path != path)] };
    }

    private IEnumerable<int> TakenSlots()
    {
        for (var slot = 0; slot < _slots.Count; slot++)
        {
            if (_slots.IsTaken(slot))
                yield return slot;
        }
    }

    // Making an empty one finds out whether its settings are possible.
    private void CheckIndex(PayloadIndexSchema index) => new PayloadIndexes().Create(index, _payloads, []);

    private void CheckSchema(IndexSchema schema)
    {
        foreach (var index in schema.PayloadIndexes)
            CheckIndex(index);
        var names = schema.Dense.Select(d => d.Name).Concat(schema.Sparse.Select(s => s.Name)).Concat(schema.Text.Select(t => t.Name));
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw GranaryException.BadInput($"The schema names \"{twice.Key}\" twice");
        var fields = FieldSet.Create(schema, new EpochClock());
        foreach (var field in fields.All)
            field.Dispose();
    }

    // Fields whose stored form stays are kept with their rows; the others are filled anew from what the live points hold.
    private void ChangeSchema(IndexSchema next)
    {
        var before = _fields;
        _fields = FieldSet.Create(next, _epochs, name => Stays(_schema, next, name) ? before.Find(name) : null);
        foreach (var field in _fields.All)
        {
            if (!before.All.Contains(field))
                Fill(field, before.Find(field.Name));
        }

        foreach (var field in before.All)
        {
            if (!_fields.All.Contains(field))
                _dropped.Add((field, NotRetired));
        }

        ChangeIndexes(next);
        _schema = next;
    }

    private void ChangeIndexes(IndexSchema next)
    {
        foreach (var index in _schema.PayloadIndexes)
        {
            if (next.FindPayloadIndex(index.Path) is null)
                _indexes.Drop(index.Path);
        }

        foreach (var index in next.PayloadIndexes)
        {
            var before = _schema.FindPayloadIndex(index.Path);
            if (before is null || !SchemaJson.Write(before).AsSpan().SequenceEqual(SchemaJson.Write(index)))
                _indexes.Create(index, _payloads, TakenSlots());
        }
    }

    private void Fill(Field field, Field? source)
    {
        for (var slot = 0; slot < _slots.Count; slot++)
        {
            field.Open(slot);
            if (!_slots.IsLive(slot))
                continue;
            field.Set(slot, CopyRow(field, source, source?.RowOf(slot) ?? Field.NoRow, _payloads.Get(slot), slot));
            CopyMark(field, source, slot, slot);
        }
    }

    // Vectors are copied as they are stored where the other field stores them alike; texts are read out of the payload again.
    private static int CopyRow(Field field, Field? source, int row, ReadOnlySpan<byte> payload, int slot) => (field, source) switch
    {
        (TextColumn text, _) => AddText(text, payload, slot),
        (DenseColumn dense, DenseColumn old) when row >= 0 && old.Vectors.Schema.Size == dense.Vectors.Schema.Size =>
            old.Vectors.Schema.Distance == dense.Vectors.Schema.Distance
                ? dense.Vectors.AddStored(old.Vectors.Vector(row), slot)
                : dense.Vectors.Add(old.Vectors.Vector(row), slot),
        (MultiColumn multi, MultiColumn old) when row >= 0 && old.Matrices.Schema.Size == multi.Matrices.Schema.Size =>
            old.Matrices.Schema.Distance == multi.Matrices.Schema.Distance
                ? multi.Matrices.AddStored(old.Matrices.Matrix(row), slot)
                : multi.Matrices.Add(old.Matrices.Matrix(row), slot),
        (SparseColumn sparse, SparseColumn old) when row >= 0 => AddSparse(sparse, old, row, slot),
        _ => Field.NoRow,
    };

    private static int AddText(TextColumn text, ReadOnlySpan<byte> payload, int slot)
    {
        var texts = text.Texts(payload);
        return texts.Count == 0 ? Field.NoRow : text.Postings.Add(texts, slot);
    }

    private static int AddSparse(SparseColumn sparse, SparseColumn old, int row, int slot)
    {
        old.Postings.Get(row, out var indices, out var values);
        return sparse.Postings.Add(indices, values, slot);
    }

    private static bool Stays(IndexSchema before, IndexSchema after, string name)
    {
        if (before.FindDense(name) is { } dense && after.FindDense(name) is { } nextDense)
        {
            // The settings a graph is built with are those of all its nodes; others are the searches' and change at once.
            return (dense with { Hnsw = nextDense.Hnsw, OnDisk = nextDense.OnDisk }) == nextDense && dense.Hnsw.M == nextDense.Hnsw.M
                && (dense.Hnsw.M == 0 || dense.Hnsw.EfConstruct == nextDense.Hnsw.EfConstruct);
        }

        if (before.FindSparse(name) is { } sparse && after.FindSparse(name) is { } nextSparse)
            return sparse == nextSparse;

        // Stop words are a list, which records compare by identity.
        return before.FindText(name) is { } text && after.FindText(name) is { } nextText
            && SchemaJson.Write(new IndexSchema
            {
                Text = [text],
            }).AsSpan().SequenceEqual(SchemaJson.Write(new IndexSchema { Text = [nextText] }));
    }
}
