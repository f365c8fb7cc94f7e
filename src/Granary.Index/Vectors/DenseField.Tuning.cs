namespace Granary.Index.Vectors;

public sealed partial class DenseField
{
    // Candidates kept when neither the query nor the schema says: recall@10 of at least 0.95 on 200,000 GloVe vectors, the hardest of
    // the sets measured (tests/Granary.Benchmarks, vectors).
    private const int DefaultWidth = 160;

    // A row being linked keeps ef_construct candidates and visits the nearest of them, this part: what the farthest lead to is seldom
    // chosen. Where many rows are removed it visits all.
    private const float ConstructReach = 0.85f;

    // A graph with a smaller share of living rows has more candidates for each link.
    private const float MostlyAlive = 0.95f;

    // A row that finds fewer living rows to link to is linked to removed ones as well, until they are swept.
    private const int FewLive = 4;

    // A row that leaves a list and is so much farther than all others in it, by squared distances, is kept by the row that takes its place.
    private const float BridgeFactor = 4f;

    // Links a new row takes on level 0, over M.
    private const int NewLinksFactor = 1;

    // Whether places left by the selection go to the nearest rows it passed over.
    private const bool FillPruned = true;

    // Rows compared with the originals, beyond 2K.
    private const int RescoreMore = 12;

    // A row whose code is farther than the K-th row by so many times the largest error met among the nearest is not compared again.
    private const float RescoreErrors = 2f;

    // Rows compared again at least: one or two may have errors near zero by chance.
    private const int LeastRescored = 10;

    // Rows fetched ahead of the one being compared again.
    private const int RescoreAhead = 4;

    // A filtered walk keeps this part of ef in accepted rows, or a little more than the part that is accepted.
    private const float FilteredLeast = 0.2f;
    private const float FilteredMore = 1.2f;

    // A filtered walk reads at most this share of the graph, and this share of the accepted rows.
    private const float WalkBudget = 0.1f;
    private const float WalkBudgetAccepted = 0.4f;
}
