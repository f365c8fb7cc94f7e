using Granary.Collections.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Granary.Silo;

/// <summary>Sends traces and metrics by OTLP: Granary's own, Orleans' and those of requests.</summary>
internal sealed class Observability : IDisposable
{
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    private Observability(TracerProvider traces, MeterProvider metrics) => (_traces, _metrics) = (traces, metrics);

    /// <summary>Starts sending.</summary>
    public static Observability Start(Uri endpoint, SiloSettings settings)
    {
        var resource = ResourceBuilder.CreateDefault()
            .AddService("granary", serviceInstanceId: $"{settings.Address}:{settings.Port}")
            .AddAttributes([new("granary.cluster", settings.Cluster)]);
        return new Observability(
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource)
                .AddSource(Telemetry.Name, "Microsoft.AspNetCore", "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime")
                .AddOtlpExporter(o => o.Endpoint = endpoint).Build(),
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
                .AddMeter(Telemetry.Name, "Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "System.Runtime")
                .AddOtlpExporter(o => o.Endpoint = endpoint).Build());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }
}
