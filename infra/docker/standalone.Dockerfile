# The server of one process: docker build -f infra/docker/standalone.Dockerfile -t granary:0.1.0 .   (in the repository's root)
#   docker run -p 6333:6333 -v granary:/data -e GRANARY_API_KEY=... granary:0.1.0
# The final image has no shell and no package manager, and runs as user 1654.
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source

COPY global.json .editorconfig Directory.Build.props Directory.Packages.props ./
COPY src/ src/
# The migrations are built into the assemblies.
COPY infra/postgres/ infra/postgres/
RUN --mount=type=cache,target=/packages NUGET_PACKAGES=/packages \
    dotnet publish src/Granary.Standalone/Granary.Standalone.csproj -c Release -p:UseAppHost=false -o /out \
    && mkdir -p /empty

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /out ./
COPY --from=build --chown=1654:1654 /empty /data
ENV GRANARY_URLS=http://0.0.0.0:6333 \
    GRANARY_STORAGE=file:/data \
    ASPNETCORE_HTTP_PORTS=
EXPOSE 6333
VOLUME /data
USER 1654:1654
ENTRYPOINT ["dotnet", "granary.dll"]
