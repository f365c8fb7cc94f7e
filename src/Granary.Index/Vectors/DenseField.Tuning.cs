namespace Granary.Index.Vectors;

public sealed partial class DenseField
{
    // Candidates kept when neither the query nor the schema says: recall@10 of at least 0.95 on 200,000 GloVe vectors, the hardest of
    // the sets measured (tests/Granary.Benchmarks, vectors).
    private const int DefaultWidth = 160;

    // Links a new row takes on level 0, over M.
    private const int NewLinksFactor = 1;

    // Whether places left by the selection go to the nearest rows it passed over.
    private const bool FillPruned = true;

    private const int RescoreMore = 12;

    private const int FilteredEfDivisor = 2;

    private const float WalkBudget = 0.25f;
}
