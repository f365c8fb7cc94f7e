using Granary.Silo;

return await Commands.RunAsync(args);
