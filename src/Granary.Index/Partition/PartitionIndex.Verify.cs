using System.Buffers;
using Granary.Index.Checkpoints;

namespace Granary.Index;

/// <content>Reads an image back without loading it.</content>
public sealed partial class PartitionIndex
{
    /// <summary>Reads every block of an image written by <see cref="WriteCheckpoint"/> and compares its checksum.</summary>
    /// <exception cref="GranaryException">A block does not have its checksum, or a section is missing.</exception>
    public static void VerifyCheckpoint(ICheckpointReader reader, CancellationToken cancellation)
    {
        Manifest manifest;
        using (var stream = reader.Open(Manifest.Name))
            manifest = Manifest.Read(stream);
        var buffer = ArrayPool<byte>.Shared.Rent(BlockWriter.BlockSize);
        try
        {
            foreach (var section in manifest.Sections)
            {
                using var stream = new BlockReader(section, reader.Open(section.Name));
                while (stream.Read(buffer) > 0)
                    cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
