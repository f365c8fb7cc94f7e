using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Granary.Standalone.Hosting;

/// <summary>
/// The blocks that Kestrel receives into and writes out of: of 16 KiB, where its own are of 4. What a client asks with a vector comes in
/// one piece then, and with one system call, in place of two or three.
/// </summary>
internal sealed class ReceiveBlocks : IMemoryPoolFactory<byte>
{
    /// <inheritdoc/>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new Pool();

    private sealed class Pool : MemoryPool<byte>
    {
        private const int BlockSize = 16 * 1024;

        // What more connections than these need at a time is left to the collector.
        private const int MostKept = 128;
        private readonly ConcurrentQueue<Block> _free = new();
        private int _kept;

        public override int MaxBufferSize => BlockSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
            if (!_free.TryDequeue(out var block))
                return new Block(this);
            Interlocked.Decrement(ref _kept);
            return block.Taken();
        }

        protected override void Dispose(bool disposing)
        {
            // Blocks still in use come back later, and the collector takes them all.
        }

        private void Return(Block block)
        {
            if (Interlocked.Increment(ref _kept) <= MostKept)
                _free.Enqueue(block);
            else
                Interlocked.Decrement(ref _kept);
        }

        private sealed class Block(Pool pool) : IMemoryOwner<byte>
        {
            // Pinned for good: the kernel writes into it.
            private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
            private int _returned;

            public Memory<byte> Memory => MemoryMarshal.CreateFromPinnedArray(_bytes, 0, BlockSize);

            public Block Taken()
            {
                Volatile.Write(ref _returned, 0);
                return this;
            }

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _returned, 1) == 0)
                    pool.Return(this);
            }
        }
    }
}
