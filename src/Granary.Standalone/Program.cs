using Granary.Standalone;

return await Commands.RunAsync(args);
