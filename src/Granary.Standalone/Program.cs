Console.WriteLine("granary");
