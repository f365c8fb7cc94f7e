using System.Runtime.CompilerServices;
using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Text;

public sealed partial class TextField
{
    /// <summary>A term and its postings. The number and the count belong to the writing thread.</summary>
    internal sealed class Term(string text, int number, TextFieldSchema schema, ImpactLayouts layouts) : PostingList
    {
        // Bounds are made for an average this many steps up, and used until it is that many above or the average outgrew them.
        private const int StepsAhead = 2;

        // Fewer postings are laid out for each query anew.
        private const int FewestLaidOut = 8;
        private const int MostBehind = 64;
        private ImpactList? _impacts;
        private bool _used;
        private bool _dropped;

        public string Text { get; } = text;

        public int Number { get; } = number;

        /// <summary>Itself: what a search reads of a term lies together.</summary>
        public PostingList Postings => this;

        /// <summary>How often it occurs in the document being added.</summary>
        public int Occurrences { get; set; }

        /// <summary>Whether it was taken out of the index; a term of that text would be another one.</summary>
        public bool IsDropped
        {
            get => Volatile.Read(ref _dropped);
            set => Volatile.Write(ref _dropped, value);
        }

        public long ImpactBytes => Volatile.Read(ref _impacts)?.Bytes ?? 0;

        /// <summary>The whole list laid out for search, with bounds that hold for averages up to a step; null where it is not.</summary>
        public ImpactList? WholeFor(int step)
        {
            if (Volatile.Read(ref _impacts) is not { } impacts || impacts.Extent != Extent || impacts.Step < step
                || impacts.Step > step + (2 * StepsAhead))
                return null;
            if (!Volatile.Read(ref _used))
                Volatile.Write(ref _used, true);
            return impacts;
        }

        /// <summary>Has the term itself fetched.</summary>
        public void Prefetch()
        {
            Prefetching.Of(ref _impacts);
            Prefetching.Of(ref _used);
        }

        /// <summary>Once the term is there: has its text and its layout fetched.</summary>
        public void PrefetchParts()
        {
            Prefetching.Of(ref Unsafe.AsRef(in Text.GetPinnableReference()));
            Volatile.Read(ref _impacts)?.Prefetch();
        }

        /// <summary>Once these are there: has what a search reads first of the layout fetched.</summary>
        public void PrefetchLayout() => Volatile.Read(ref _impacts)?.PrefetchPlaces();

        /// <summary>
        /// The list laid out for search, or most of it, with bounds that hold for averages up to a step; null when it is too short for
        /// that. Made here when there is none that fits; a reader's race with another costs the work twice. The work is shared by the
        /// eighth of the list that must come before it is done again.
        /// </summary>
        public ImpactList? ImpactsFor(PostingList.View view, int tail, int step, RowTable<TextRow> rows)
        {
            var count = ((view.Blocks?.Count ?? 0) * BlockCodec.Size) + tail;
            var impacts = Volatile.Read(ref _impacts);
            if (impacts != null && impacts.Generation == view.Generation && impacts.Step >= step
                && impacts.Step <= step + (2 * StepsAhead) && count - impacts.Count <= Math.Max(MostBehind, impacts.Count / 8))
            {
                if (!Volatile.Read(ref _used))
                    Volatile.Write(ref _used, true);
                return impacts;
            }

            if (count < FewestLaidOut)
                return null;
            impacts = ImpactList.Make(view, tail, step + StepsAhead, new ImpactRule(rows, SaturationAt(step + StepsAhead)));
            layouts.Replaced(this, Interlocked.Exchange(ref _impacts, impacts), impacts);
            return impacts;
        }

        /// <summary>The layout as far as it goes; null where there is none of the list as it is.</summary>
        /// <param name="isWhole">Whether it goes to the end.</param>
        public ImpactList? LaidOut(out bool isWhole)
        {
            var impacts = Volatile.Read(ref _impacts);
            isWhole = impacts is not null && impacts.Extent == Extent;
            return isWhole || impacts?.Generation == Current.Generation ? impacts : null;
        }

        /// <summary>Whether the layout was used again since this was asked last.</summary>
        public bool TakeUsed() => Interlocked.Exchange(ref _used, false);

        /// <summary>Gives up the layout, which whoever has it may still read.</summary>
        public ImpactList? TakeImpacts() => Interlocked.Exchange(ref _impacts, null);

        /// <summary>Saturation under the average of a step.</summary>
        public Saturation SaturationAt(int step) => new(schema.K1, schema.B, Saturation.AverageOf(step));
    }
}
